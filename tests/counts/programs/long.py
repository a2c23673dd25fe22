"""Functions so long that jumps, constants and names need EXTENDED_ARG."""


def long_branches(n):
    total = 0
    for i in range(n):
        if i % 3 == 0:
            total += i * 300 + 0
            total += i * 301 + 1
            total += i * 302 + 2
            total += i * 303 + 3
            total += i * 304 + 4
            total += i * 305 + 5
            total += i * 306 + 6
            total += i * 307 + 7
            total += i * 308 + 8
            total += i * 309 + 9
            total += i * 310 + 10
            total += i * 311 + 11
            total += i * 312 + 12
            total += i * 313 + 13
            total += i * 314 + 14
            total += i * 315 + 15
            total += i * 316 + 16
            total += i * 317 + 17
            total += i * 318 + 18
            total += i * 319 + 19
            total += i * 320 + 20
            total += i * 321 + 21
            total += i * 322 + 22
            total += i * 323 + 23
            total += i * 324 + 24
            total += i * 325 + 25
            total += i * 326 + 26
            total += i * 327 + 27
            total += i * 328 + 28
            total += i * 329 + 29
            total += i * 330 + 30
            total += i * 331 + 31
            total += i * 332 + 32
            total += i * 333 + 33
            total += i * 334 + 34
            total += i * 335 + 35
            total += i * 336 + 36
            total += i * 337 + 37
            total += i * 338 + 38
            total += i * 339 + 39
            total += i * 340 + 40
            total += i * 341 + 41
            total += i * 342 + 42
            total += i * 343 + 43
            total += i * 344 + 44
            total += i * 345 + 45
            total += i * 346 + 46
            total += i * 347 + 47
            total += i * 348 + 48
            total += i * 349 + 49
            total += i * 350 + 50
            total += i * 351 + 51
            total += i * 352 + 52
            total += i * 353 + 53
            total += i * 354 + 54
            total += i * 355 + 55
            total += i * 356 + 56
            total += i * 357 + 57
            total += i * 358 + 58
            total += i * 359 + 59
            total += i * 360 + 60
            total += i * 361 + 61
            total += i * 362 + 62
            total += i * 363 + 63
            total += i * 364 + 64
            total += i * 365 + 65
            total += i * 366 + 66
            total += i * 367 + 67
            total += i * 368 + 68
            total += i * 369 + 69
            total += i * 370 + 70
            total += i * 371 + 71
            total += i * 372 + 72
            total += i * 373 + 73
            total += i * 374 + 74
            total += i * 375 + 75
            total += i * 376 + 76
            total += i * 377 + 77
            total += i * 378 + 78
            total += i * 379 + 79
            total += i * 380 + 80
            total += i * 381 + 81
            total += i * 382 + 82
            total += i * 383 + 83
            total += i * 384 + 84
            total += i * 385 + 85
            total += i * 386 + 86
            total += i * 387 + 87
            total += i * 388 + 88
            total += i * 389 + 89
        elif i % 3 == 1:
            if total > 100000:
                continue
            total -= i + 700.5
            total -= i + 701.5
            total -= i + 702.5
            total -= i + 703.5
            total -= i + 704.5
            total -= i + 705.5
            total -= i + 706.5
            total -= i + 707.5
            total -= i + 708.5
            total -= i + 709.5
            total -= i + 710.5
            total -= i + 711.5
            total -= i + 712.5
            total -= i + 713.5
            total -= i + 714.5
            total -= i + 715.5
            total -= i + 716.5
            total -= i + 717.5
            total -= i + 718.5
            total -= i + 719.5
            total -= i + 720.5
            total -= i + 721.5
            total -= i + 722.5
            total -= i + 723.5
            total -= i + 724.5
            total -= i + 725.5
            total -= i + 726.5
            total -= i + 727.5
            total -= i + 728.5
            total -= i + 729.5
            total -= i + 730.5
            total -= i + 731.5
            total -= i + 732.5
            total -= i + 733.5
            total -= i + 734.5
            total -= i + 735.5
            total -= i + 736.5
            total -= i + 737.5
            total -= i + 738.5
            total -= i + 739.5
            total -= i + 740.5
            total -= i + 741.5
            total -= i + 742.5
            total -= i + 743.5
            total -= i + 744.5
            total -= i + 745.5
            total -= i + 746.5
            total -= i + 747.5
            total -= i + 748.5
            total -= i + 749.5
            total -= i + 750.5
            total -= i + 751.5
            total -= i + 752.5
            total -= i + 753.5
            total -= i + 754.5
            total -= i + 755.5
            total -= i + 756.5
            total -= i + 757.5
            total -= i + 758.5
            total -= i + 759.5
        else:
            try:
                if i % 2:
                    raise ValueError(i)
                total = total + 0
                total = total + 1
                total = total + 2
                total = total + 3
                total = total + 4
                total = total + 5
                total = total + 6
                total = total + 7
                total = total + 8
                total = total + 9
                total = total + 10
                total = total + 11
                total = total + 12
                total = total + 13
                total = total + 14
                total = total + 15
                total = total + 16
                total = total + 17
                total = total + 18
                total = total + 19
                total = total + 20
                total = total + 21
                total = total + 22
                total = total + 23
                total = total + 24
                total = total + 25
                total = total + 26
                total = total + 27
                total = total + 28
                total = total + 29
                total = total + 30
                total = total + 31
                total = total + 32
                total = total + 33
                total = total + 34
                total = total + 35
                total = total + 36
                total = total + 37
                total = total + 38
                total = total + 39
            except ValueError:
                total += 1
    return total


def many_names(n):
    v0 = n
    v1 = n
    v2 = n
    v3 = n
    v4 = n
    v5 = n
    v6 = n
    v7 = n
    v8 = n
    v9 = n
    v10 = n
    v11 = n
    v12 = n
    v13 = n
    v14 = n
    v15 = n
    v16 = n
    v17 = n
    v18 = n
    v19 = n
    v20 = n
    v21 = n
    v22 = n
    v23 = n
    v24 = n
    v25 = n
    v26 = n
    v27 = n
    v28 = n
    v29 = n
    v30 = n
    v31 = n
    v32 = n
    v33 = n
    v34 = n
    v35 = n
    v36 = n
    v37 = n
    v38 = n
    v39 = n
    v40 = n
    v41 = n
    v42 = n
    v43 = n
    v44 = n
    v45 = n
    v46 = n
    v47 = n
    v48 = n
    v49 = n
    v50 = n
    v51 = n
    v52 = n
    v53 = n
    v54 = n
    v55 = n
    v56 = n
    v57 = n
    v58 = n
    v59 = n
    v60 = n
    v61 = n
    v62 = n
    v63 = n
    v64 = n
    v65 = n
    v66 = n
    v67 = n
    v68 = n
    v69 = n
    v70 = n
    v71 = n
    v72 = n
    v73 = n
    v74 = n
    v75 = n
    v76 = n
    v77 = n
    v78 = n
    v79 = n
    v80 = n
    v81 = n
    v82 = n
    v83 = n
    v84 = n
    v85 = n
    v86 = n
    v87 = n
    v88 = n
    v89 = n
    v90 = n
    v91 = n
    v92 = n
    v93 = n
    v94 = n
    v95 = n
    v96 = n
    v97 = n
    v98 = n
    v99 = n
    v100 = n
    v101 = n
    v102 = n
    v103 = n
    v104 = n
    v105 = n
    v106 = n
    v107 = n
    v108 = n
    v109 = n
    v110 = n
    v111 = n
    v112 = n
    v113 = n
    v114 = n
    v115 = n
    v116 = n
    v117 = n
    v118 = n
    v119 = n
    v120 = n
    v121 = n
    v122 = n
    v123 = n
    v124 = n
    v125 = n
    v126 = n
    v127 = n
    v128 = n
    v129 = n
    v130 = n
    v131 = n
    v132 = n
    v133 = n
    v134 = n
    v135 = n
    v136 = n
    v137 = n
    v138 = n
    v139 = n
    v140 = n
    v141 = n
    v142 = n
    v143 = n
    v144 = n
    v145 = n
    v146 = n
    v147 = n
    v148 = n
    v149 = n
    v150 = n
    v151 = n
    v152 = n
    v153 = n
    v154 = n
    v155 = n
    v156 = n
    v157 = n
    v158 = n
    v159 = n
    v160 = n
    v161 = n
    v162 = n
    v163 = n
    v164 = n
    v165 = n
    v166 = n
    v167 = n
    v168 = n
    v169 = n
    v170 = n
    v171 = n
    v172 = n
    v173 = n
    v174 = n
    v175 = n
    v176 = n
    v177 = n
    v178 = n
    v179 = n
    v180 = n
    v181 = n
    v182 = n
    v183 = n
    v184 = n
    v185 = n
    v186 = n
    v187 = n
    v188 = n
    v189 = n
    v190 = n
    v191 = n
    v192 = n
    v193 = n
    v194 = n
    v195 = n
    v196 = n
    v197 = n
    v198 = n
    v199 = n
    v200 = n
    v201 = n
    v202 = n
    v203 = n
    v204 = n
    v205 = n
    v206 = n
    v207 = n
    v208 = n
    v209 = n
    v210 = n
    v211 = n
    v212 = n
    v213 = n
    v214 = n
    v215 = n
    v216 = n
    v217 = n
    v218 = n
    v219 = n
    v220 = n
    v221 = n
    v222 = n
    v223 = n
    v224 = n
    v225 = n
    v226 = n
    v227 = n
    v228 = n
    v229 = n
    v230 = n
    v231 = n
    v232 = n
    v233 = n
    v234 = n
    v235 = n
    v236 = n
    v237 = n
    v238 = n
    v239 = n
    v240 = n
    v241 = n
    v242 = n
    v243 = n
    v244 = n
    v245 = n
    v246 = n
    v247 = n
    v248 = n
    v249 = n
    v250 = n
    v251 = n
    v252 = n
    v253 = n
    v254 = n
    v255 = n
    v256 = n
    v257 = n
    v258 = n
    v259 = n
    v260 = n
    v261 = n
    v262 = n
    v263 = n
    v264 = n
    v265 = n
    v266 = n
    v267 = n
    v268 = n
    v269 = n
    while v0 < 3:
        v0 += 1
        if v0 == 2:
            v269 = v268 = v0
            continue
        v1 = v269 + v268
    return v1


def many_constants(n):
    for _ in range(n):
        values = (
            n + 1000,
            n + 1001,
            n + 1002,
            n + 1003,
            n + 1004,
            n + 1005,
            n + 1006,
            n + 1007,
            n + 1008,
            n + 1009,
            n + 1010,
            n + 1011,
            n + 1012,
            n + 1013,
            n + 1014,
            n + 1015,
            n + 1016,
            n + 1017,
            n + 1018,
            n + 1019,
            n + 1020,
            n + 1021,
            n + 1022,
            n + 1023,
            n + 1024,
            n + 1025,
            n + 1026,
            n + 1027,
            n + 1028,
            n + 1029,
            n + 1030,
            n + 1031,
            n + 1032,
            n + 1033,
            n + 1034,
            n + 1035,
            n + 1036,
            n + 1037,
            n + 1038,
            n + 1039,
            n + 1040,
            n + 1041,
            n + 1042,
            n + 1043,
            n + 1044,
            n + 1045,
            n + 1046,
            n + 1047,
            n + 1048,
            n + 1049,
            n + 1050,
            n + 1051,
            n + 1052,
            n + 1053,
            n + 1054,
            n + 1055,
            n + 1056,
            n + 1057,
            n + 1058,
            n + 1059,
            n + 1060,
            n + 1061,
            n + 1062,
            n + 1063,
            n + 1064,
            n + 1065,
            n + 1066,
            n + 1067,
            n + 1068,
            n + 1069,
            n + 1070,
            n + 1071,
            n + 1072,
            n + 1073,
            n + 1074,
            n + 1075,
            n + 1076,
            n + 1077,
            n + 1078,
            n + 1079,
            n + 1080,
            n + 1081,
            n + 1082,
            n + 1083,
            n + 1084,
            n + 1085,
            n + 1086,
            n + 1087,
            n + 1088,
            n + 1089,
            n + 1090,
            n + 1091,
            n + 1092,
            n + 1093,
            n + 1094,
            n + 1095,
            n + 1096,
            n + 1097,
            n + 1098,
            n + 1099,
            n + 1100,
            n + 1101,
            n + 1102,
            n + 1103,
            n + 1104,
            n + 1105,
            n + 1106,
            n + 1107,
            n + 1108,
            n + 1109,
            n + 1110,
            n + 1111,
            n + 1112,
            n + 1113,
            n + 1114,
            n + 1115,
            n + 1116,
            n + 1117,
            n + 1118,
            n + 1119,
            n + 1120,
            n + 1121,
            n + 1122,
            n + 1123,
            n + 1124,
            n + 1125,
            n + 1126,
            n + 1127,
            n + 1128,
            n + 1129,
            n + 1130,
            n + 1131,
            n + 1132,
            n + 1133,
            n + 1134,
            n + 1135,
            n + 1136,
            n + 1137,
            n + 1138,
            n + 1139,
            n + 1140,
            n + 1141,
            n + 1142,
            n + 1143,
            n + 1144,
            n + 1145,
            n + 1146,
            n + 1147,
            n + 1148,
            n + 1149,
            n + 1150,
            n + 1151,
            n + 1152,
            n + 1153,
            n + 1154,
            n + 1155,
            n + 1156,
            n + 1157,
            n + 1158,
            n + 1159,
            n + 1160,
            n + 1161,
            n + 1162,
            n + 1163,
            n + 1164,
            n + 1165,
            n + 1166,
            n + 1167,
            n + 1168,
            n + 1169,
            n + 1170,
            n + 1171,
            n + 1172,
            n + 1173,
            n + 1174,
            n + 1175,
            n + 1176,
            n + 1177,
            n + 1178,
            n + 1179,
            n + 1180,
            n + 1181,
            n + 1182,
            n + 1183,
            n + 1184,
            n + 1185,
            n + 1186,
            n + 1187,
            n + 1188,
            n + 1189,
            n + 1190,
            n + 1191,
            n + 1192,
            n + 1193,
            n + 1194,
            n + 1195,
            n + 1196,
            n + 1197,
            n + 1198,
            n + 1199,
            n + 1200,
            n + 1201,
            n + 1202,
            n + 1203,
            n + 1204,
            n + 1205,
            n + 1206,
            n + 1207,
            n + 1208,
            n + 1209,
            n + 1210,
            n + 1211,
            n + 1212,
            n + 1213,
            n + 1214,
            n + 1215,
            n + 1216,
            n + 1217,
            n + 1218,
            n + 1219,
            n + 1220,
            n + 1221,
            n + 1222,
            n + 1223,
            n + 1224,
            n + 1225,
            n + 1226,
            n + 1227,
            n + 1228,
            n + 1229,
            n + 1230,
            n + 1231,
            n + 1232,
            n + 1233,
            n + 1234,
            n + 1235,
            n + 1236,
            n + 1237,
            n + 1238,
            n + 1239,
            n + 1240,
            n + 1241,
            n + 1242,
            n + 1243,
            n + 1244,
            n + 1245,
            n + 1246,
            n + 1247,
            n + 1248,
            n + 1249,
            n + 1250,
            n + 1251,
            n + 1252,
            n + 1253,
            n + 1254,
            n + 1255,
            n + 1256,
            n + 1257,
            n + 1258,
            n + 1259,
            n + 1260,
            n + 1261,
            n + 1262,
            n + 1263,
            n + 1264,
            n + 1265,
            n + 1266,
            n + 1267,
            n + 1268,
            n + 1269,
            n + 1270,
            n + 1271,
            n + 1272,
            n + 1273,
            n + 1274,
            n + 1275,
            n + 1276,
            n + 1277,
            n + 1278,
            n + 1279,
        )
    return len(values)


def run():
    long_branches(13)
    many_names(1)
    many_constants(2)
